"""Plan a release: what is known, which days would be without medicine, and what closes each gap."""
