"""Methods that the report shows beside the evaluation's own."""

import pytest
import torch

import gapnet
from gapnet.config.jobs import methods_of
from gapnet.errors import GapnetError
from gapnet.jobs import Evaluation, Rules
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.saliency import Cam, GradCam, Occlusion


def test_methods_are_chosen_by_name() -> None:
    assert methods_of(["grad_cam", "occlusion"]) == {
        "grad_cam": GradCam(),
        "occlusion": Occlusion(),
    }
    assert methods_of([]) == {}


@pytest.mark.parametrize("names", [["grad_cam", "nosuch"], "grad_cam"])
def test_a_name_that_is_no_method_or_no_list_is_refused(names: list[str]) -> None:
    with pytest.raises(GapnetError, match=r"report\.methods=.*must be a list of cam, "):
        methods_of(names)


def test_a_method_that_the_network_does_not_allow_is_refused_before_the_evaluation() -> None:
    torch.manual_seed(0)
    network = gapnet.create_model("tiny_gap", 3, input_size=48)
    localizer = Localizer(Cam(), ThresholdBoxer(), OnePerClass())
    evaluation = Evaluation(Rules(localizer, ()), methods={"occlusion": Occlusion(window=64)})
    with pytest.raises(GapnetError, match="window"):
        evaluation.check_methods(network)
