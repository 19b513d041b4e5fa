"""Pictures: ranked panels, curves, contact sheets, and a report as one HTML page."""

from keras_reid.visualize.adaptation import adaptation_curves, cluster_sheet
from keras_reid.visualize.contact_sheet import contact_sheet
from keras_reid.visualize.correspondences import correspondences
from keras_reid.visualize.curves import cmc_curve, training_curves
from keras_reid.visualize.embedding_map import embedding_map
from keras_reid.visualize.html import write_html
from keras_reid.visualize.panel import PanelImage, PanelRow, ranked_panel
from keras_reid.visualize.swap_grid import swap_grid
from keras_reid.visualize.transport import transport_plan

__all__ = [
    "PanelImage",
    "PanelRow",
    "adaptation_curves",
    "cluster_sheet",
    "cmc_curve",
    "contact_sheet",
    "correspondences",
    "embedding_map",
    "ranked_panel",
    "swap_grid",
    "training_curves",
    "transport_plan",
    "write_html",
]
