"""Call recordings, in a local folder, on an SFTP server or in an S3 bucket.

`source` reads them, whatever the store; `store` is what it asks of one; `folders` and `keys` decide
what is listed when; `patience` tells what is complete; `local`, `sftp` and `s3` are the stores.
"""
