"""Suite HF1 (Spec/00 §0.2): hashes, derivations, signatures, agreement, key encapsulation, HPKE, ChaCha20."""
