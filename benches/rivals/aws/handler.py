"""The handler that Multi Model Server runs for each model: SageMaker's toolkit around `booster.Inference`.

The server wants exactly one class defined in this module.
"""

from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.transformer import Transformer

from booster import Inference


class Handler(DefaultHandlerService):
    """One model in one worker process."""

    def __init__(self):
        super().__init__(transformer=Transformer(default_inference_handler=Inference()))
