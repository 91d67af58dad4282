namespace Lb;

/// <summary>Primes of table sizes.</summary>
internal static class Primes
{
    public static bool IsPrime(int number)
    {
        if (number < 4) return number > 1;
        if (number % 2 == 0) return false;
        for (int divisor = 3; divisor <= number / divisor; divisor += 2)
        {
            if (number % divisor == 0) return false;
        }

        return true;
    }
}
