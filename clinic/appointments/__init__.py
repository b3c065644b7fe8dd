"""Who is waiting, which places are free, and who comes when: referrals, the rota and visits."""
