"""How each kind of receiver is spoken to: a file each, made of the message and the notifier, without sending."""
