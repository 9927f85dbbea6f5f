"""How fast it is: `make bench` measures, prints ratios to anchors and says which goals are met."""
