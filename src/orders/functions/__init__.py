"""One module per Lambda function; each exports `handler`."""
