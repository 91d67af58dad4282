namespace Lb.Transport;

/// <summary>A client's first bytes for a pick on another thread, after the session may have ended.</summary>
internal sealed class FirstBytesCopy(ReadOnlySpan<byte> bytes) : IPickRequest
{
    private readonly byte[] _bytes = bytes.ToArray();

    public ReadOnlySpan<byte> FirstBytes => _bytes;

    public ReadOnlySpan<byte> Target => [];

    public ReadOnlySpan<byte> Body => [];

    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = [];
        return false;
    }
}
