"""What tests of many folders start and wait for: a whole server, other programs, and answers that come in a while."""
