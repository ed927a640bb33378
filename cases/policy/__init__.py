"""What a business decides, as data: promises, remedies, amounts, conditions. Nothing about a single case."""
