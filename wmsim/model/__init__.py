"""The network: tokenizer, dynamics, heads and flow maths; nothing here knows about slots or Gymnasium."""
