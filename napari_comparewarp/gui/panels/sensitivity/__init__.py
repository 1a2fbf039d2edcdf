"""What other thresholds would clip."""
