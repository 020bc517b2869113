"""Each journey on one screen: `check`, `signoff` (sign off and verify), and `lookup` of what was kept."""
