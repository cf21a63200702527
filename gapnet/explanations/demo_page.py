"""The demo's page, made with Gradio."""

import gradio as gr
from PIL import Image

from gapnet.errors import GapnetError
from gapnet.explanations.demo_view import (
    explain_class,
    methods_for,
    probabilities,
    with_box_at,
)
from gapnet.explanations.explanation import Explanation
from gapnet.localization.boxers.threshold import CUT
from gapnet.models.gapnet import GapNet

MOST_PROBABLE = "(most probable)"
Answer = tuple[Explanation | None, Image.Image | None, dict[str, float] | None, str]


def build_page(network: GapNet) -> gr.Blocks:
    """Return a page that explains a picture; class, method and threshold can be chosen."""
    methods = methods_for(network)

    def explain_picture(
        picture: Image.Image | None, class_name: str, method: str, threshold: float
    ) -> Answer:
        if picture is None:
            return None, None, None, ""
        chosen = None if class_name == MOST_PROBABLE else class_name
        try:
            explanation = explain_class(network, picture, chosen, method=method)
            overlay, text = move_box(explanation, threshold)
            return explanation, overlay, probabilities(network, picture), text
        except GapnetError as error:
            raise gr.Error(str(error)) from error

    def move_box(
        explanation: Explanation | None, threshold: float
    ) -> tuple[Image.Image | None, str]:
        if explanation is None:
            return None, ""
        boxed = with_box_at(explanation, threshold)
        return boxed.overlay(), _text(boxed)

    with gr.Blocks(title=f"gapnet: {network.name}", analytics_enabled=False) as page:
        explanation = gr.State()
        with gr.Row():
            with gr.Column():
                picture = gr.Image(type="pil", label="Picture")
                names = [MOST_PROBABLE, *dict.fromkeys(network.class_names)]
                class_name = gr.Dropdown(names, value=MOST_PROBABLE, label="Class")
                method = gr.Dropdown(methods, value=methods[0], label="Saliency method")
                threshold = gr.Slider(
                    0,
                    0.95,
                    value=CUT,
                    step=0.05,
                    label="Threshold of the box, as a share of the map's maximum",
                )
            with gr.Column():
                overlay = gr.Image(type="pil", label="Class map and box", interactive=False)
                text = gr.Textbox(label="Class, probability and box")
                label = gr.Label(label="Most probable classes")
        gr.on(
            [picture.change, class_name.change, method.change],
            explain_picture,
            [picture, class_name, method, threshold],
            [explanation, overlay, label, text],
            api_name="explain",
        )
        threshold.change(move_box, [explanation, threshold], [overlay, text], api_name="move_box")
    return page


def _text(explanation: Explanation) -> str:
    corners = " ".join(f"{value:g}" for value in explanation.boxes[0])
    return f"{explanation.names[0]} {explanation.scores[0]:.1%}, box (x1 y1 x2 y2): {corners}"
