"""Write a care plan with somebody, agree it three ways, keep it true, and look at it again in time."""
