"""The proof, on recorded real runs, that the performance verdicts of gates can be trusted."""
