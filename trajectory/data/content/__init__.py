"""What is known of items beyond their ids, as arrays: texts, categories, brands, prices."""
