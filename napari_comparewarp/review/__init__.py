"""What a person looks at to judge a run: evidence, reasons and measures, without a window."""
