"""What customers see and do through the link in their letters (docs/customer-page.md)."""
