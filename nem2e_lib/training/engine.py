"""Training many STDR-Nets at once: one model's training written plainly, batched over models by the caller's choice.

Batch size 1, squared error, Adam (Kingma & Ba 2015), as in Teramae et al. (2025), section 3.2.1. `train_one` is the
training of one model, a plain function of data and task that `jax.vmap` batches and `jax.jit` compiles; `train_block`
runs the same steps for blocks of models: spread over devices, a few epochs at a time, and looked at when done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.tree_util import Partial
from numpy.typing import NDArray

from nem2e_lib.training.adam import adam
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.numerics import pinned
from nem2e_lib.training.stdrnet import STDRNet

ENGINE_VERSION = "4"
"""Part of every result's hash: raised whenever the same input would give other numbers."""


GROUP = 16
"""Models whose first weights a processor draws at a time, where a block has so many."""


Rows = Any
"""An array of a block's models: numpy's outside of programs, JAX's within."""


class Data(NamedTuple):
    """What a block shares: inputs (sets, sequences, tokens, features), targets (channels, sequences, steps)."""

    inputs: Array
    targets: Array


class Task(NamedTuple):
    """What belongs to one model; blocks stack it along a leading axis, in numpy, so that no program cuts it up.

    `key` is the data of the random key of its first weights. `shown` (epochs, sequences) is the order of training and
    `real` marks what is no padding; `keep` (epochs,) is the share of each epoch's weights in those that are kept (see
    `Configuration.weights`); `held` (held-out sequences) and `scored` mark likewise; `shift` and `scale` (tokens,
    features) are the input scaling.
    """

    key: Rows
    input_set: Rows
    channel: Rows
    shown: Rows
    real: Rows
    keep: Rows
    held: Rows
    scored: Rows
    shift: Rows
    scale: Rows


class Outcome(NamedTuple):
    """What a trained model leaves: losses per epoch; of the weights kept, outputs, attention and input gradients."""

    training_loss: NDArray[np.float32]
    validation_loss: NDArray[np.float32]
    refined: NDArray[np.float32]
    attention: NDArray[np.float32]
    gradient: NDArray[np.float32]
    weights: dict[str, NDArray[np.float32]]


class NotANumber(ArithmeticError):
    """The training loss of a block's model is not a number any more."""

    def __init__(self, model: int, epoch: int):
        super().__init__(model, epoch)
        self.model, self.epoch = model, epoch


@dataclass(frozen=True)
class Shape:
    """What the compiled program depends on."""

    features: int
    steps: int
    configuration: Configuration
    padded: bool
    muscles: int = 0
    outputs: int = 0


@dataclass(frozen=True)
class Layout:
    """Models side by side on a device (1: one after another), and how many devices share a block (0: all there are)."""

    width: int
    devices: int


@pinned()
def train_one(shape: Shape, data: Data, task: Task) -> tuple[dict[str, Array], Array, Array]:
    """Train one model from its first weights on: each epoch shows every training sequence once, one an update.

    Batched over the models of a grid, compiled as one program::

        jax.jit(jax.vmap(partial(train_one, shape), in_axes=(None, 0)))(data, tasks)

    Parameters
    ----------
    shape
        Sizes and options.
    data
        Shared arrays.
    task
        The model's own: a row of what `Grid.tasks` stacks.

    Returns
    -------
    tuple
        Weights kept, by name (see `refiner`), and the training and validation loss of each epoch, shape (epochs,) each.
    """
    graph, optimiser = _blank(shape)[0], adam(shape.configuration.learning_rate)
    state, moments, kept = _start(shape, optimiser, task)
    state, _, kept, (training, validation) = _run(shape, graph, optimiser, data, task, state, moments, kept)
    return flatten_dict(nnx.to_pure_dict(_chosen(state, kept)), sep="."), training, validation


@pinned()
def train_block(
    data: Data,
    tasks: Task,
    shape: Shape,
    layout: Layout,
    *,
    chunk: int,
    report: Callable[[int, float], None] | None = None,
    look: bool = True,
) -> list[Outcome]:
    """Train the models of a block and return their outcomes in order.

    Parameters
    ----------
    data
        Shared arrays.
    tasks
        Arrays with a leading axis of models.
    shape
        Sizes and options.
    layout
        How the devices work through the models; it changes the numbers by rounding at most.
    chunk
        Epochs between two calls of `report`.
    report
        Called with the number of epochs done since the last call and the block's mean training loss.
    look
        Whether outputs, attention and gradients are wanted; without, an outcome's are empty.

    Raises
    ------
    NotANumber
        At the end of the epochs in which a training loss stopped being one.
    """
    models, epochs = tasks.shown.shape[:2]
    program = compiled(shape, layout)
    carry = program.place(program.start(tasks))
    placed = program.place(tasks)
    losses = []
    for first in range(0, epochs, chunk):
        part = slice(first, min(first + chunk, epochs))
        shown, real, keep = (program.place(plan[:, part]) for plan in (tasks.shown, tasks.real, tasks.keep))
        window = placed._replace(shown=shown, real=real, keep=keep)
        *carry, loss = program.run(data, window, *carry)
        losses.append(jax.device_get(loss))
        _require_numbers(losses[-1][0][:models], first)
        if report is not None:
            report(part.stop - part.start, float(losses[-1][0][:models, -1].mean()))
    training, validation = (np.concatenate(parts, axis=1) for parts in zip(*losses, strict=True))
    state, _, kept = carry
    state = _chosen(state, kept)
    looked = jax.device_get(program.finish(data, placed, state)) if look else [np.empty((models, 0), np.float32)] * 3
    refined, attention, gradient = looked
    weights = flatten_dict(nnx.to_pure_dict(jax.device_get(state)), sep=".")
    return [
        Outcome(
            training[i],
            validation[i],
            refined[i],
            attention[i],
            gradient[i],
            {k: v[i] for k, v in weights.items()},
        )
        for i in range(models)
    ]


def _require_numbers(losses: NDArray[np.float32], before: int) -> None:
    finite = np.isfinite(losses)
    if not finite.all():
        epoch, model = min((int(row.argmin()), i) for i, row in enumerate(finite) if not row.all())
        raise NotANumber(model, before + epoch + 1)


@pinned()
def refiner(weights: dict[str, NDArray[np.float32]], shape: Shape) -> Callable[..., Array]:
    """Return a trained model as a function from (n, tokens, features) to (n, steps), inputs already scaled.

    Given a second array like the inputs, its decoder attends to that one's encoder states (see `STDRNet`).
    """
    state = jax.tree.map(lambda leaf: leaf, _blank(shape)[1])  # a copy, since it is filled in place
    nnx.replace_by_pure_dict(state, unflatten_dict(dict(weights), sep="."))
    return Partial(_forward(shape), state)


@pinned()
def weight_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of weights of a model, by name."""
    flat = flatten_dict(nnx.to_pure_dict(_blank(shape)[1]), sep=".")
    return {str(name): tuple(leaf.shape) for name, leaf in flat.items()}


@lru_cache(maxsize=8)
def _blank(shape: Shape) -> tuple[Any, Any]:
    """Return a network's graph, and its state of shapes alone: to draw weights for this would compile programs."""
    graph, state = nnx.split(nnx.eval_shape(lambda: _network(shape, jax.random.key(0))))
    return graph, state


@lru_cache(maxsize=8)
def _forward(shape: Shape) -> Callable[..., Array]:
    """One compiled program for all models of a shape."""
    graph, _ = _blank(shape)

    def forward(state: Any, inputs: Any, attended: Any = None) -> Array:
        return jax.vmap(lambda x, other: nnx.merge(graph, state)(x, attended=other)[0])(inputs, attended)

    return jax.jit(forward)


@dataclass(frozen=True)
class Program:
    """The compiled parts of training a block: draw weights, hand models to devices, run epochs, look at the result."""

    start: Callable[[Task], Any]
    place: Callable[[Any], Any]
    run: Callable[..., Any]
    finish: Callable[..., Any]


@lru_cache(maxsize=8)
def compiled(shape: Shape, layout: Layout) -> Program:
    """Return the program for models of a shape, compiled once a process."""
    mesh = Mesh(np.array(jax.devices()[: layout.devices or None]), ("models",))
    graph, _ = _blank(shape)
    optimiser = adam(shape.configuration.learning_rate)
    # Initial weights are drawn on one device: orthogonal ones factorise matrices, which locks up on several at once.
    start = partial(_in_groups, jax.jit(jax.vmap(partial(_start, shape, optimiser))))
    run = _spread(mesh, layout.width, partial(_run, shape, graph, optimiser), handed_over=(2, 3, 4))
    finish = _spread(mesh, layout.width, partial(_finish, shape, graph, optimiser))
    return Program(start, partial(_place, mesh, layout.width), run, finish)


def _spread(mesh: Mesh, width: int, one: Callable[..., Any], handed_over: tuple[int, ...] = ()) -> Callable[..., Any]:
    """Batch a function of the shared data and one model over the models of a device, and over the devices.

    The arguments `handed_over` are given up: their memory takes the results.
    """
    models = PartitionSpec("models")

    def many(data: Data, own: tuple[Any, ...]) -> Any:
        count = len(jax.tree.leaves(own)[0])
        if width >= count:
            return jax.vmap(lambda *mine: one(data, *mine))(*own)
        return _in_batches(lambda mine: one(data, *mine), own, width)

    spread = jax.shard_map(many, mesh=mesh, in_specs=(PartitionSpec(), models), out_specs=models, check_vma=False)
    return jax.jit(lambda data, *own: spread(data, own), donate_argnums=handed_over)


def _in_batches(one: Callable[[Any], Any], own: Any, width: int) -> Any:
    """Map over leading axes, so many at once, the rest of them last.

    As `jax.lax.map` with `batch_size`, which cannot reshape what has no elements: the weights of inputs that a decoder
    of one step lacks.
    """
    if width == 1:
        return jax.lax.map(one, own)
    count = len(jax.tree.leaves(own)[0])
    whole = count - count % width
    batches = jax.tree.map(lambda leaf: leaf[:whole].reshape(whole // width, width, *leaf.shape[1:]), own)
    _, found = jax.lax.scan(lambda _, batch: ((), jax.vmap(one)(batch)), (), batches)
    found = jax.tree.map(lambda leaf: leaf.reshape(whole, *leaf.shape[2:]), found)
    if whole == count:
        return found
    rest = jax.vmap(one)(jax.tree.map(lambda leaf: leaf[whole:], own))
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), found, rest)


def _in_groups(start: Callable[[Task], Any], tasks: Task) -> Any:
    """Draw the weights of a block in groups of one size, so that blocks of every size share the program.

    A card draws them all at once.
    """
    count = len(tasks.shown)
    if jax.default_backend() != "cpu":
        return start(tasks)
    size = min(GROUP, 1 << (count - 1).bit_length())
    padded = jax.tree.map(lambda leaf: _repeated(leaf, -count % size), tasks)
    groups = [
        jax.device_get(start(jax.tree.map(lambda leaf, first=first: leaf[first : first + size], padded)))
        for first in range(0, count, size)
    ]
    return jax.tree.map(lambda *parts: (parts[0] if len(parts) == 1 else np.concatenate(parts))[:count], *groups)


def _place(mesh: Mesh, width: int, block: Any) -> Any:
    """Repeat the last model until every device has the same number of full groups, and hand each its part."""
    count = len(jax.tree.leaves(block)[0])
    group = mesh.size * min(width, -(-count // mesh.size))
    block = jax.tree.map(lambda leaf: _repeated(leaf, -count % group), block)
    return jax.device_put(block, NamedSharding(mesh, PartitionSpec("models")))


def _repeated(leaf: Any, spare: int) -> Any:
    """Repeat the last row so many times."""
    if not spare:
        return leaf
    stack = np if isinstance(leaf, np.ndarray) else jnp
    return stack.concatenate([leaf, stack.repeat(leaf[-1:], spare, axis=0)])


def _network(shape: Shape, key: Array) -> STDRNet:
    return STDRNet(shape.features, shape.steps, shape.configuration, key, shape.muscles, shape.outputs)


def _start(shape: Shape, optimiser: Any, task: Task) -> tuple[Any, Any, Any]:
    """Return weights, Adam's moments, and the sum of the weights kept: None where those of the last epoch are."""
    state = nnx.split(_network(shape, jax.random.wrap_key_data(task.key)))[1]
    kept = None if shape.configuration.weights == "last" else jax.tree.map(jnp.zeros_like, state)
    return state, optimiser.init(state), kept


def _chosen(state: Any, kept: Any) -> Any:
    return state if kept is None else kept


def _run(
    shape: Shape, graph: Any, optimiser: Any, data: Data, task: Task, state: Any, moments: Any, kept: Any
) -> tuple[Any, Any, Any, tuple[Array, Array]]:
    def epoch(carry: Any, plan: Any) -> tuple[Any, tuple[Array, Array]]:
        (*order, share), (*trained, kept) = plan, carry
        (state, moments), losses = jax.lax.scan(update, tuple(trained), tuple(order))
        training = jnp.sum(losses * order[1]) / jnp.sum(order[1])
        kept = jax.tree.map(lambda total, now: total + share * now, kept, state) if kept is not None else None
        return (state, moments, kept), (training, _validation_loss(shape, graph, data, task, state))

    def update(carry: Any, order: Any) -> tuple[Any, Array]:
        state, moments = carry
        sequence, real = order
        loss, gradient = jax.value_and_grad(_loss)(state, shape, graph, data, task, sequence)
        changes, advanced = optimiser.update(gradient, moments, state)
        after = (optax.apply_updates(state, changes), advanced)
        if shape.padded:
            after = jax.tree.map(lambda new, old: jnp.where(real > 0, new, old), after, carry)
        return after, loss

    carry, losses = jax.lax.scan(epoch, (state, moments, kept), (task.shown, task.real, task.keep))
    return *carry, losses


def _loss(state: Any, shape: Shape, graph: Any, data: Data, task: Task, sequence: Array) -> Array:
    target = _target(shape, data, task, sequence)
    teacher = jnp.nan_to_num(target) if shape.configuration.decoder_input == "teacher" else None
    refined, _ = nnx.merge(graph, state)(_input(data, task, sequence), teacher)
    return _mean_squared_error(shape, refined, target)


def _target(shape: Shape, data: Data, task: Task, sequence: Array) -> Array:
    """Return what a network should give of a sequence: (steps,), of all channels (steps, channels)."""
    return data.targets[:, sequence].T if shape.outputs else data.targets[task.channel, sequence]


def _mean_squared_error(shape: Shape, refined: Array, target: Array) -> Array:
    """Return the mean over the samples; of all channels over those that were recorded."""
    if not shape.outputs:
        return jnp.mean(optax.squared_error(refined, target))
    known = jnp.isfinite(target)
    errors = optax.squared_error(refined, jnp.where(known, target, refined))  # nothing to learn from what is not there
    return jnp.sum(errors) / jnp.sum(known)


def _input(data: Data, task: Task, sequence: Array) -> Array:
    return (data.inputs[task.input_set, sequence] - task.shift) / task.scale


def _validation_loss(shape: Shape, graph: Any, data: Data, task: Task, state: Any) -> Array:
    network = nnx.merge(graph, state)

    def error(sequence: Array) -> Array:
        refined = network(_input(data, task, sequence))[0]
        return _mean_squared_error(shape, refined, _target(shape, data, task, sequence))

    errors = jax.vmap(error)(task.held)
    return jnp.sum(errors * task.scored) / jnp.sum(task.scored)


def _finish(shape: Shape, graph: Any, optimiser: Any, data: Data, task: Task, state: Any) -> tuple[Array, Array, Array]:
    network = nnx.merge(graph, state)

    def look(sequence: Array) -> tuple[Array, Array, Array]:
        x = _input(data, task, sequence)
        slopes = jax.jacrev(lambda x: network(x)[0])(x) / task.scale
        return *network(x), jnp.linalg.norm(slopes, axis=-1)

    refined, attention, slopes = jax.lax.map(look, task.held)
    weight = task.scored / jnp.sum(task.scored)
    return refined, attention, jnp.tensordot(weight, slopes, axes=1)
