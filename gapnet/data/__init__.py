"""Data sets, from files to batches."""

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
from gapnet.data.sources.coco import Coco
from gapnet.data.sources.csv_table import Csv
from gapnet.data.sources.cub import Cub
from gapnet.data.sources.folder import Folder
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.metadata import Metadata
from gapnet.data.sources.shapes.dataset import shapes
from gapnet.data.sources.shards import Shards
from gapnet.data.sources.voc import Voc
from gapnet.data.sources.yolo import Yolo

__all__ = [
    "Coco",
    "Csv",
    "Cub",
    "DataModule",
    "Folder",
    "Ilsvrc",
    "Metadata",
    "Reader",
    "Records",
    "Shards",
    "Source",
    "Voc",
    "Yolo",
    "centre_view",
    "published_view",
    "random_crop_view",
    "random_view",
    "shapes",
    "whole_view",
]
