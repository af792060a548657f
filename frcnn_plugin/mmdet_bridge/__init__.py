"""Where mmdet's protocol meets the padded core: lists, assigners, heads, settings."""
