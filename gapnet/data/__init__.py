"""Data sets, from files to batches."""

from typing import TYPE_CHECKING

from gapnet.system.lazy_names import LazyNames

if TYPE_CHECKING:
    from gapnet.data.loading.datamodule import DataModule
    from gapnet.data.loading.views import (
        centre_view,
        published_view,
        random_crop_view,
        random_view,
        whole_view,
    )
    from gapnet.data.options import Reader
    from gapnet.data.records import Records
    from gapnet.data.sample import Source
    from gapnet.data.sources.ade import Ade
    from gapnet.data.sources.ade_scenes import AdeScenes
    from gapnet.data.sources.broden import Broden
    from gapnet.data.sources.captions import Captions
    from gapnet.data.sources.coco import Coco
    from gapnet.data.sources.csv_table import Csv
    from gapnet.data.sources.cub import Cub
    from gapnet.data.sources.drawn_splits import DrawnSplits
    from gapnet.data.sources.folder import Folder
    from gapnet.data.sources.ilsvrc import Ilsvrc
    from gapnet.data.sources.image_lists import ImageLists
    from gapnet.data.sources.masked_scenes import MaskedScenes
    from gapnet.data.sources.metadata import Metadata
    from gapnet.data.sources.positives import Positives
    from gapnet.data.sources.retrieval_images import RetrievalImages
    from gapnet.data.sources.segmentations import Segmentations
    from gapnet.data.sources.shapes.dataset import shapes
    from gapnet.data.sources.shards import Shards
    from gapnet.data.sources.sun_attribute import SunAttribute
    from gapnet.data.sources.voc import Voc
    from gapnet.data.sources.yolo import Yolo

__all__ = [
    "Ade",
    "AdeScenes",
    "Broden",
    "Captions",
    "Coco",
    "Csv",
    "Cub",
    "DataModule",
    "DrawnSplits",
    "Folder",
    "Ilsvrc",
    "ImageLists",
    "MaskedScenes",
    "Metadata",
    "Positives",
    "Reader",
    "Records",
    "RetrievalImages",
    "Segmentations",
    "Shards",
    "Source",
    "SunAttribute",
    "Voc",
    "Yolo",
    "centre_view",
    "published_view",
    "random_crop_view",
    "random_view",
    "shapes",
    "whole_view",
]

# Imported when they are first used: whoever reads one picture need not wait for Lightning
__getattr__ = LazyNames(
    __name__,
    {
        "Ade": "gapnet.data.sources.ade",
        "AdeScenes": "gapnet.data.sources.ade_scenes",
        "Captions": "gapnet.data.sources.captions",
        "MaskedScenes": "gapnet.data.sources.masked_scenes",
        "Positives": "gapnet.data.sources.positives",
        "SunAttribute": "gapnet.data.sources.sun_attribute",
        "Broden": "gapnet.data.sources.broden",
        "Coco": "gapnet.data.sources.coco",
        "Csv": "gapnet.data.sources.csv_table",
        "Cub": "gapnet.data.sources.cub",
        "DataModule": "gapnet.data.loading.datamodule",
        "DrawnSplits": "gapnet.data.sources.drawn_splits",
        "Folder": "gapnet.data.sources.folder",
        "Ilsvrc": "gapnet.data.sources.ilsvrc",
        "ImageLists": "gapnet.data.sources.image_lists",
        "Metadata": "gapnet.data.sources.metadata",
        "Reader": "gapnet.data.options",
        "Records": "gapnet.data.records",
        "RetrievalImages": "gapnet.data.sources.retrieval_images",
        "Segmentations": "gapnet.data.sources.segmentations",
        "Shards": "gapnet.data.sources.shards",
        "Source": "gapnet.data.sample",
        "Voc": "gapnet.data.sources.voc",
        "Yolo": "gapnet.data.sources.yolo",
        "centre_view": "gapnet.data.loading.views",
        "published_view": "gapnet.data.loading.views",
        "random_crop_view": "gapnet.data.loading.views",
        "random_view": "gapnet.data.loading.views",
        "shapes": "gapnet.data.sources.shapes.dataset",
        "whole_view": "gapnet.data.loading.views",
    },
)
