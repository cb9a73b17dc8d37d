"""The Tasuki protocol: documents, envelopes, the ledger and the charter, without any input or output."""
