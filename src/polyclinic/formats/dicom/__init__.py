"""DICOM: pixels, series, frames, segmentations."""
