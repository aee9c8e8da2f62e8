"""LocalStack plugin: Lambda execution environments as processes."""
