"""What this member decides, one file or folder for each topic; services never commit.  STYLE 28."""
