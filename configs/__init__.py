"""The Hydra settings of training and of the recipes, as YAML; installed as `wmsim.configs`."""
