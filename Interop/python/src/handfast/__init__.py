"""Handfast, suite HF1, written from the chapters in Spec/ and from nothing else."""

__version__ = "0.1.0"
