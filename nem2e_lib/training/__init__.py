"""STDR-Net and its training over muscles, folds and seeds."""

from nem2e_lib.error import Nem2eError

try:
    import jax as _jax  # noqa: F401
except ValueError as error:  # a variable of the environment that JAX cannot read
    raise Nem2eError(f"JAX does not start with this environment ({error}); mend or unset that variable.") from None
