"""`s3://`: Amazon S3 and every service that speaks its protocol."""
