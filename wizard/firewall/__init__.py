"""What this host does to packets: routes, neighbours and filter rules, read without loading anything."""
