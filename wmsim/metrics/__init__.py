"""What a dream is measured by: pure functions of arrays, with no world, no data set and no plot in them."""

from wmsim.metrics.distribution import clip_features, polynomial_mmd, relative_distance
from wmsim.metrics.image import colour_shift, frozen, motion, psnr, sharpness, ssim, ssim_map, ssim_mean
from wmsim.metrics.probe import Probe, ProbeConfig, fit_probe
from wmsim.metrics.statistics import Interval, auroc, bootstrap, bootstrap_mean, pearson
from wmsim.metrics.visibility import MOVING, NEW, STATIC, View, newly_seen, pixel_classes

__all__ = [
    "MOVING",
    "NEW",
    "STATIC",
    "Interval",
    "Probe",
    "ProbeConfig",
    "View",
    "auroc",
    "bootstrap",
    "bootstrap_mean",
    "clip_features",
    "colour_shift",
    "fit_probe",
    "frozen",
    "motion",
    "newly_seen",
    "pearson",
    "pixel_classes",
    "polynomial_mmd",
    "psnr",
    "relative_distance",
    "sharpness",
    "ssim",
    "ssim_map",
    "ssim_mean",
]
