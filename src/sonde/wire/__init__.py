"""What travels between the parts: frames, protobuf fields, ids. Knows nobody."""
