"""STDR-Net and its training over muscles, folds and seeds."""

import os

from nem2e_lib.error import Nem2eError

if any(name.startswith("JAX_") for name in os.environ):  # else it is loaded where it is used: half a second
    try:
        import jax as _jax  # noqa: F401
    except ValueError as error:  # a variable of the environment that JAX cannot read
        raise Nem2eError(f"JAX does not start with this environment ({error}); mend or unset that variable.") from None
