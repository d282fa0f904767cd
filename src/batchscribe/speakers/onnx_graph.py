"""A builder of ONNX models from weights. It needs the package `onnx`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
Axis = int | str  #: a length, or the name of one that may vary


class OnnxGraph:
    """A graph of operators with one input and one output. Values have names, which are numbered in order."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant, and return its name. Floating-point numbers become float32."""
        kind = np.float32 if values.dtype.kind == "f" else np.int64
        name = f"w{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=kind), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add an operator, and return the name of its first output."""
        output = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def relu(self, value: str) -> str:
        return self.add("Relu", value)

    def write(
        self,
        path: Path,
        inputs: Mapping[str, Sequence[Axis]],
        outputs: Mapping[str, Sequence[Axis]],
        facts: Mapping[str, object],
    ) -> None:
        """Check the model and write it. The bytes are the same for the same weights and versions of the packages."""
        graph = helper.make_graph(self._nodes, "graph", _describe(inputs), _describe(outputs), self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="batchscribe"
        )
        helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString(deterministic=True))


def _describe(values: Mapping[str, Sequence[Axis]]) -> list[Any]:
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, axes) for name, axes in values.items()]
