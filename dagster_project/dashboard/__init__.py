"""The dashboard: pages of the marts' numbers, written as a static site or served with filters."""
