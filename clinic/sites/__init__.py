"""Where care happens: community services with their prescribing model, prisons with their nation."""
