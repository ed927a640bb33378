"""The customer's page: where a case stands, its offer and the answer, photos, a rating (docs/customer-page.md)."""
