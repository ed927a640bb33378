"""The channels on which a customer can be reached, in the order in which they are tried (G2)."""

from cases.vocabulary import Channel

FALLBACKS = [Channel.SMS, Channel.EMAIL]


def contact_channels(channel: Channel) -> list[Channel]:
    """Return the channel that the customer used, then sms, then email.

    A hotline caller is also answered in writing, by a text message to the number they called from.
    """
    return list(dict.fromkeys([channel, *FALLBACKS]))
