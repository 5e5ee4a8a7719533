"""Engines run a program on a device: OpenVINO on a processor, torch on a processor or an accelerator."""
