namespace Lb.Vrrp;

/// <summary>How adverts of one router are authenticated: nothing, a password (version 2), or an HMAC. Immutable but for the numbers that guard against replay.</summary>
internal sealed class VrrpAuthentication
{
    private readonly byte[]?[] _keys = new byte[]?[256];

    private VrrpAuthentication()
    {
    }

    /// <summary>Value of the type field of version 2: 0 none, 1 password (RFC 2338 5.3.6).</summary>
    public byte Type { get; private init; }

    /// <summary>The password, padded with zeros to 8 bytes; empty without one.</summary>
    public ReadOnlyMemory<byte> Password { get; private init; }

    /// <summary>What becomes of adverts without a good trailer; null = there are no trailers.</summary>
    public VrrpHmacMode? Mode { get; private init; }

    /// <summary>How replays are kept out.</summary>
    public VrrpReplay Replay { get; private init; }

    /// <summary>How far the time of an advert may be from ours: three intervals, at least 5 s (keepalived).</summary>
    public TimeSpan Window { get; private init; }

    /// <summary>Number of the key that is sent: the highest.</summary>
    public int KeyId { get; private init; } = -1;

    /// <summary>Whether adverts are sent with a trailer.</summary>
    public bool SendsTrailer => Mode is VrrpHmacMode.Enforce or VrrpHmacMode.Permissive;

    /// <summary>A password in clear (RFC 2338), 1 to 8 bytes: keeps apart, protects from nothing.</summary>
    /// <param name="password">What is more than 8 bytes is cut off, as keepalived does.</param>
    public static VrrpAuthentication Pass(ReadOnlySpan<byte> password)
    {
        byte[] padded = new byte[8];
        password[..Math.Min(8, password.Length)].CopyTo(padded);
        return new VrrpAuthentication { Type = 1, Password = padded };
    }

    /// <summary>An HMAC in a trailer; see <see cref="VrrpHmac"/>.</summary>
    /// <param name="keys">At least one, by number 0 to 255; 32 to 64 bytes where keepalived is the peer.</param>
    /// <param name="mode">What becomes of adverts without one.</param>
    /// <param name="replay">How replays are kept out.</param>
    /// <param name="interval">The router's interval, from which the window comes.</param>
    public static VrrpAuthentication Hmac(IReadOnlyDictionary<int, byte[]> keys, VrrpHmacMode mode, VrrpReplay replay, TimeSpan interval)
    {
        VrrpAuthentication made = new()
        {
            Mode = mode,
            Replay = replay,
            Window = interval * 3 > TimeSpan.FromSeconds(5) ? interval * 3 : TimeSpan.FromSeconds(5),
            KeyId = keys.Keys.Max(),
        };
        foreach ((int id, byte[] key) in keys) made._keys[id] = [.. key];
        return made;
    }

    /// <summary>A key by its number; null = there is none.</summary>
    public byte[]? Key(int id) => _keys[id];
}

/// <summary>What becomes of adverts without a good trailer.</summary>
internal enum VrrpHmacMode
{
    /// <summary>They are dropped.</summary>
    Enforce,

    /// <summary>Those without a trailer are taken, those with a bad one dropped.</summary>
    Permissive,

    /// <summary>As permissive, and none is sent.</summary>
    ReceiveOnly,
}

/// <summary>How replays of authenticated adverts are kept out.</summary>
internal enum VrrpReplay
{
    /// <summary>Numbers must grow and their time must be within the window.</summary>
    Time,

    /// <summary>Numbers must grow.</summary>
    Monotonic,

    /// <summary>Not at all.</summary>
    None,
}
