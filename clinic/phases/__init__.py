"""Which phase somebody is in, what everybody is offered, who is told, and who stands by them."""
