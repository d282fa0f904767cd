"""The stages of a job, from the listing to the webhook, and what they know of the process that runs them."""
