"""How fast is the service, against the least that could do the job on the same machine?"""
