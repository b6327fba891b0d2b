"""Administration: what admins see of everybody, what they may change, and the record of what they did."""
