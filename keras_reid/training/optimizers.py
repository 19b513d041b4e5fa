"""SGD and Adam with torch's update rules, because the papers' recipes were written for them.

Keras' own differ in three ways that change the numbers: ``weight_decay`` is decoupled from the gradient, momentum
folds the learning rate into the velocity (so every drop of the rate differs), and Adam's epsilon is 1e-7.
"""

import keras
from keras import ops

__all__ = ["TorchAdam", "TorchSGD"]


@keras.saving.register_keras_serializable(package="keras_reid")
class TorchSGD(keras.optimizers.Optimizer):
    """Stochastic gradient descent as ``torch.optim.SGD`` computes it.

    With gradient g, parameter p, velocity v, momentum m, weight decay w and learning rate r:
    ``g = g + w p;  v = m v + g;  p = p - r (g + m v if nesterov else v)``.

    Args:
        learning_rate: Float or ``keras.optimizers.schedules.LearningRateSchedule``.
        momentum: Momentum m in [0, 1).
        nesterov: Look one step ahead.
        l2: Weight decay w, added to the gradient (torch's ``weight_decay``), on every parameter.
        name: Name of the optimiser.
        **kwargs: Clipping and averaging options of ``keras.optimizers.Optimizer``.

    Raises:
        ValueError: ``momentum`` outside [0, 1) or ``l2`` negative.

    Example:
        >>> from keras_reid.training import TorchSGD
        >>> TorchSGD(0.01, momentum=0.9, nesterov=True, l2=5e-4).momentum
        0.9

    Reference:
        The update rule in PyTorch's documentation of ``torch.optim.SGD``.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, l2=0.0, name="torch_sgd", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"`momentum` must lie in [0, 1). Received: {momentum!r}.")
        _check_l2(l2)
        self.momentum = momentum
        self.nesterov = nesterov
        self.l2 = l2

    def build(self, variables):
        """Creates the velocities."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        """Applies the rule to one variable."""
        gradient = ops.cast(gradient, variable.dtype) + self.l2 * ops.convert_to_tensor(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        velocity = self._velocities[self._get_variable_index(variable)]
        new_velocity = self.momentum * ops.convert_to_tensor(velocity) + gradient
        self.assign(velocity, new_velocity)
        step = gradient + self.momentum * new_velocity if self.nesterov else new_velocity
        self.assign_sub(variable, rate * step)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "l2": self.l2,
        }


@keras.saving.register_keras_serializable(package="keras_reid")
class TorchAdam(keras.optimizers.Adam):
    """Adam with weight decay coupled to the gradient and epsilon 1e-8, as ``torch.optim.Adam`` has them.

    Args:
        learning_rate: Float or ``keras.optimizers.schedules.LearningRateSchedule``.
        l2: Weight decay, added to the gradient (torch's ``weight_decay``), on every parameter.
        epsilon: Added to the root of the second moment, after its bias correction as in torch.
        name: Name of the optimiser.
        **kwargs: Other options of ``keras.optimizers.Adam``.

    Raises:
        ValueError: ``l2`` negative, or ``amsgrad`` asked for.

    Example:
        >>> from keras_reid.training import TorchAdam
        >>> TorchAdam(3.5e-4, l2=5e-4).l2
        0.0005

    Reference:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; the update rule in PyTorch's
        documentation of ``torch.optim.Adam``.
    """

    def __init__(self, learning_rate=0.001, l2=0.0, epsilon=1e-8, name="torch_adam", **kwargs):
        if kwargs.get("amsgrad"):
            raise ValueError("TorchAdam has no `amsgrad`. Leave it out, or use keras.optimizers.Adam.")
        super().__init__(learning_rate=learning_rate, epsilon=epsilon, name=name, **kwargs)
        _check_l2(l2)
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        """Applies the rule to one variable."""
        gradient = ops.cast(gradient, variable.dtype) + self.l2 * ops.convert_to_tensor(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        self.assign_add(first, (gradient - first) * (1.0 - self.beta_1))
        self.assign_add(second, (ops.square(gradient) - second) * (1.0 - self.beta_2))
        first_hat = first / (1.0 - ops.power(ops.cast(self.beta_1, variable.dtype), step))
        second_hat = second / (1.0 - ops.power(ops.cast(self.beta_2, variable.dtype), step))
        self.assign_sub(variable, rate * first_hat / (ops.sqrt(second_hat) + self.epsilon))

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "l2": self.l2}


def _check_l2(l2: float) -> None:
    if l2 < 0.0:
        raise ValueError(f"`l2` (weight decay) must not be negative. Received: {l2!r}.")
