"""The stages of a job, from the listing to the webhook, and what they need from their process."""
