"""Commands for operators, one file for each; `python -m backend` lists them."""
