"""Encoding (Spec/01): deterministic CBOR, COSE keys and signatures, texts."""
