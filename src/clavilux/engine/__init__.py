"""Who runs a program: torch on a processor or an accelerator."""
